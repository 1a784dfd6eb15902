let token = ''

/**
 * Takes what follows the # of a mailed link and removes it from the address bar and the history at once. No browser sends it
 * to a server; from here it goes into the body of the one request that uses it.
 */
export function takeLinkToken(): string {
  const found = window.location.hash.slice(1)
  if (found) {
    token = found
    window.history.replaceState(window.history.state, '', window.location.pathname)
  }
  return token
}
