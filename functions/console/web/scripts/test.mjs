// The tests of the console: types, units, bundle budget, then the browser against a system of its own.
//   --short  one walk through sign-in, list and account instead of every browser test
// E2E_URL and E2E_PASSWORD name a running system to use instead. E2E_MAILBOX names its mailbox and E2E_PROVIDERS has
// the output of the command providers; without them the tests that need them are skipped. CHROMIUM names the browser.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { findChromium } from '../e2e/browser.mjs'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dirname(dirname(web)))
const short = process.argv.includes('--short')

function run(title, command, args, env = {}) {
  console.log(`== ${title}`)
  const done = spawnSync(command, args, { cwd: web, stdio: 'inherit', env: { ...process.env, ...env } })
  if (done.status !== 0) process.exit(1)
}

/** Checks that the sign-in page loads at most 300 kB of script, compressed, before it can be used. */
function budget() {
  console.log('== bundle budget')
  const assets = join(web, 'dist', 'app', 'assets')
  const sources = new Map(
    readdirSync(assets)
      .filter((n) => n.endsWith('.js'))
      .map((n) => [n, readFileSync(join(assets, n), 'utf8')]),
  )
  const needed = new Set()
  const addModule = (name) => {
    if (needed.has(name) || !sources.has(name)) return
    needed.add(name)
    // Static imports only; dynamic ones are written import(...).
    for (const [, found] of sources.get(name).matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) addModule(found)
  }
  const index = readFileSync(join(web, 'dist', 'app', 'index.html'), 'utf8')
  for (const [, name] of index.matchAll(/assets\/([^"']+\.js)/g)) addModule(name)
  for (const name of sources.keys()) if (/^(SignInPage|Shell)-/.test(name)) addModule(name)
  const total = [...needed].reduce((sum, name) => sum + gzipSync(sources.get(name)).length, 0)
  console.log(`sign-in and shell: ${(total / 1000).toFixed(0)} kB of script in ${needed.size} files`)
  if (needed.size < 3 || total > 300_000) {
    console.error('the budget is 300 kB; or these are not the files that the page loads')
    process.exit(1)
  }
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })

/** Builds and starts a program of the project; waits until its output matches the pattern, and returns the output. */
async function launch(name, readyPattern, env) {
  const program = join(root, '.build', 'bin', name)
  const built = spawnSync('go', ['build', '-buildvcs=false', '-o', program, `./internal/local/${name}`], {
    cwd: root,
    stdio: 'inherit',
  })
  if (built.status !== 0) process.exit(1)
  const running = spawn(program, [], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  await new Promise((done) => {
    const fail = () => {
      console.error(`${name} did not start:\n${output}`)
      process.exit(1)
    }
    const timer = setTimeout(() => {
      running.kill('SIGTERM')
      fail()
    }, 240_000)
    running.once('exit', fail)
    for (const stream of [running.stdout, running.stderr])
      stream.on('data', (text) => {
        output += text
        if (readyPattern.test(output)) {
          clearTimeout(timer)
          running.removeListener('exit', fail)
          done()
        }
      })
  })
  return {
    output,
    stop: () =>
      new Promise((done) => {
        running.once('exit', done)
        running.kill('SIGINT')
      }),
  }
}

/**
 * Starts a system as make run does, without data, and fake identity providers beside it. Its address is a host name,
 * because passkeys need one: the default of make run.
 */
async function startSystem() {
  const port = await freePort()
  const password = `${randomBytes(9).toString('base64url')} lanterns`
  const url = `http://localhost:${port}`
  const providers = await launch('providers', /\n/, {})
  const addresses = JSON.parse(providers.output)
  const system = await launch('run', /Ready after[^]*Stop /, {
    PORT: String(port),
    AZURE_URL: addresses.azure,
    GRAPH_URL: addresses.graph,
    DATA: '',
    ADMIN_PASSWORD: password,
  })
  const [, mailbox] = /Mailbox +(\S+)/.exec(system.output)
  return {
    env: { E2E_URL: url, E2E_PASSWORD: password, E2E_MAILBOX: mailbox, E2E_PROVIDERS: providers.output },
    stop: () => Promise.all([system.stop(), providers.stop()]),
  }
}

run('types', 'node_modules/.bin/tsc', ['-p', '.'])
run('units', 'node_modules/.bin/vitest', ['run', '--reporter=dot'])
budget()
if (!findChromium()) {
  console.log('== browser: there is no Chromium here, so the pages are not tested (CHROMIUM=path names one)')
  process.exit(0)
}
const system = process.env.E2E_URL ? { env: {}, stop: () => undefined } : await startSystem()
console.log(`== browser tests${short ? ', the short run' : ''}`)
const files = short ? ['smoke.test.mjs'] : readdirSync(join(web, 'e2e')).filter((n) => n.endsWith('.test.mjs'))
const tests = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files.map((n) => join('e2e', n))], {
  cwd: web,
  stdio: 'inherit',
  env: { ...process.env, ...system.env },
})
const status = await new Promise((done) => tests.once('exit', done))
await system.stop()
process.exit(status ?? 1)
