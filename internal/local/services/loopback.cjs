// fauxqs listens on every interface of the machine and has no setting for it. A queue without any sign-in has no business
// there, so whatever listens on a port in this process listens on loopback.
'use strict';
const { Server } = require('node:net');

const { listen } = Server.prototype;
Server.prototype.listen = function (options, ...rest) {
  const onPort = options !== null && typeof options === 'object' && 'port' in options;
  return listen.call(this, onPort ? { ...options, host: '127.0.0.1' } : options, ...rest);
};
