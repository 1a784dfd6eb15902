// Installs the packages and builds the console into dist/app. Does nothing when a former run did it from the same sources.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const contract = join(web, '..', 'api', 'openapi.json')
const modules = join(web, 'node_modules')
const app = join(web, 'dist', 'app')

// What Vite needs; an older Node.js gets the page that says so instead of a broken build.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.log(`Node.js ${process.versions.node} is older than 20.19: the web console is not built`)
  process.exit(0)
}

function filesOf(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? filesOf(path) : [path]
    })
}

function hashOf(files) {
  const hash = createHash('sha256').update(process.version)
  for (const path of files) hash.update(relative(web, path)).update(readFileSync(path))
  return hash.digest('hex')
}

const stamped = (path, mark) => existsSync(path) && readFileSync(path, 'utf8') === mark

function run(command, args, why) {
  const done = spawnSync(command, args, { cwd: web, encoding: 'utf8', env: { ...process.env, NODE_ENV: '' } })
  if (done.status === 0) return
  console.error(`${why}\n${done.error ?? ''}${done.stdout ?? ''}${done.stderr ?? ''}`)
  process.exit(1)
}

export function install() {
  const mark = hashOf(['package.json', 'package-lock.json', '.npmrc'].map((name) => join(web, name)))
  if (stamped(join(modules, '.stamp'), mark)) return
  console.log('installing the packages of the web console from npm (once, about half a minute)')
  run(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm could not install the packages of the console:',
  )
  writeFileSync(join(modules, '.stamp'), mark)
}

/** The types of the API, from its reference: made anew whenever that changes, so the two cannot part. */
export function types() {
  const target = join(web, 'src', 'api', 'schema.d.ts')
  const mark = hashOf([contract, join(web, 'package-lock.json')])
  const stamp = join(modules, '.schema-stamp')
  if (existsSync(target) && stamped(stamp, mark)) return
  run(
    join(modules, '.bin', 'openapi-typescript'),
    [contract, '--output', target],
    'the types of the API could not be made:',
  )
  writeFileSync(stamp, mark)
}

/** Compresses what is worth it, so that the function has nothing to do but send. */
function compress(folder) {
  for (const path of filesOf(folder)) {
    if (!/\.(js|css|svg|json)$/.test(path)) continue
    const content = readFileSync(path)
    if (content.length < 1024) continue
    writeFileSync(
      `${path}.br`,
      brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    )
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
  }
}

/** What the app was built from stands within it, so that the two cannot part. */
const stamp = join(app, '.stamp')

function build() {
  const sources = ['src', 'public', 'scripts']
    .flatMap((name) => filesOf(join(web, name)))
    .filter((path) => !path.endsWith('schema.d.ts'))
  const single = ['index.html', 'package-lock.json', 'vite.config.ts', 'tsconfig.json'].map((name) => join(web, name))
  const mark = hashOf([...sources, ...single, contract])
  if (existsSync(join(app, 'index.html')) && stamped(stamp, mark)) return
  types()
  console.log('building the web console')
  mkdirSync(dirname(app), { recursive: true })
  const fresh = join(dirname(app), '.fresh')
  const old = join(dirname(app), '.old')
  for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true }) // of a run that was killed
  run(
    join(modules, '.bin', 'vite'),
    ['build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'],
    'the web console does not build:',
  )
  compress(fresh)
  writeFileSync(join(fresh, '.stamp'), mark)
  // A folder cannot be renamed onto one that has files, so the app is gone between two renames, and for no longer.
  if (existsSync(app)) renameSync(app, old)
  renameSync(fresh, app)
  rmSync(old, { recursive: true, force: true })
}

const alive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Waits until no other run works here, and keeps others out until this one ends. The lock is a file with the holder's number that
 * comes into being whole, as a link; that of a holder who is gone is moved aside, which only one of those who wait can do.
 */
async function alone() {
  const lock = join(web, 'dist', '.lock')
  const mine = `${lock}-${process.pid}`
  mkdirSync(dirname(lock), { recursive: true })
  writeFileSync(mine, String(process.pid))
  process.on('exit', () => rmSync(mine, { force: true }))
  for (let said = false; ; await new Promise((done) => setTimeout(done, 100))) {
    try {
      linkSync(mine, lock)
      process.on('exit', () => rmSync(lock, { force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    let holder
    try {
      holder = readFileSync(lock, 'utf8')
    } catch {
      continue // let go of just now
    }
    if (!alive(Number(holder))) {
      takeOver(lock, mine, holder)
      continue
    }
    if (!said) console.log('waiting for another build of the web console')
    said = true
  }
}

/** Removes a lock whose holder is gone; one that somebody else took meanwhile is put back. */
function takeOver(lock, mine, holder) {
  const aside = `${mine}-aside`
  try {
    renameSync(lock, aside)
  } catch {
    return
  }
  try {
    if (readFileSync(aside, 'utf8') !== holder) linkSync(aside, lock)
  } finally {
    rmSync(aside, { force: true })
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))
await alone()
install()
if (process.argv.includes('--install-only')) types()
else build()
