// Installs the packages and builds the console into dist/app. Does nothing if an earlier run used the same sources.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
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
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const contract = join(web, '..', 'api', 'openapi.json')
const modules = join(web, 'node_modules')
const app = join(web, 'dist', 'app')

// Vite's minimum. With an older Node.js the console is not built, and the function shows a page that says so.
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
  const digest = createHash('sha256').update(process.version)
  for (const path of files) digest.update(relative(web, path)).update(readFileSync(path))
  return digest.digest('hex')
}

const hasStamp = (path, hash) => existsSync(path) && readFileSync(path, 'utf8') === hash

function run(command, args, why) {
  const done = spawnSync(command, args, { cwd: web, encoding: 'utf8', env: { ...process.env, NODE_ENV: '' } })
  if (done.status === 0) return
  console.error(`${why}\n${done.error ?? ''}${done.stdout ?? ''}${done.stderr ?? ''}`)
  process.exit(1)
}

export function install() {
  const hash = hashOf(['package.json', 'package-lock.json', '.npmrc'].map((name) => join(web, name)))
  if (hasStamp(join(modules, '.stamp'), hash)) return
  console.log('installing the packages of the web console from npm (once, about half a minute)')
  run(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm could not install the packages of the console:',
  )
  writeFileSync(join(modules, '.stamp'), hash)
}

/** The types of the API, from its reference: made again whenever that changes, so that they cannot differ. */
export function types() {
  const target = join(web, 'src', 'api', 'schema.d.ts')
  const hash = hashOf([contract, join(web, 'package-lock.json')])
  const stamp = join(modules, '.schema-stamp')
  if (existsSync(target) && hasStamp(stamp, hash)) return
  run(
    join(modules, '.bin', 'openapi-typescript'),
    [contract, '--output', target],
    'the types of the API could not be made:',
  )
  writeFileSync(stamp, hash)
}

/** Compresses files at build time, so that the function only has to send them. */
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

/** The explorer of the API: Swagger UI as it comes, with a script and a style sheet of ours. */
function explorer(folder) {
  mkdirSync(folder)
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css'])
    copyFileSync(join(modules, 'swagger-ui-dist', name), join(folder, name))
  for (const path of filesOf(join(web, 'explorer'))) copyFileSync(path, join(folder, basename(path)))
}

/** A hash of the sources inside the built app, so that it always describes that build. */
const stamp = join(app, '.stamp')

function build() {
  const sources = ['src', 'public', 'explorer', 'scripts']
    .flatMap((name) => filesOf(join(web, name)))
    .filter((path) => !path.endsWith('schema.d.ts'))
  const singleFiles = ['index.html', 'package-lock.json', 'vite.config.ts', 'tsconfig.json'].map((name) =>
    join(web, name),
  )
  const hash = hashOf([...sources, ...singleFiles, contract])
  if (existsSync(join(app, 'index.html')) && hasStamp(stamp, hash)) return
  types()
  console.log('building the web console')
  mkdirSync(dirname(app), { recursive: true })
  const staging = join(dirname(app), '.staging')
  const previous = join(dirname(app), '.previous')
  for (const left of [staging, previous]) rmSync(left, { recursive: true, force: true }) // of a run that was killed
  run(
    join(modules, '.bin', 'vite'),
    ['build', '--outDir', staging, '--emptyOutDir', '--logLevel', 'warn'],
    'the web console does not build:',
  )
  explorer(join(staging, 'explorer'))
  compress(staging)
  writeFileSync(join(staging, '.stamp'), hash)
  // A folder cannot be renamed onto one that has files, so the app is gone between two renames, and for no longer.
  if (existsSync(app)) renameSync(app, previous)
  renameSync(staging, app)
  rmSync(previous, { recursive: true, force: true })
}

const isRunning = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Takes the lock, so that only one run works here at a time. The lock is a file with the holder's process id. It is
 * created as a link, so it is never seen half written. The lock of a process that is gone is moved aside, which only
 * one waiting run can do.
 */
async function acquireLock() {
  const lock = join(web, 'dist', '.lock')
  const own = `${lock}-${process.pid}`
  mkdirSync(dirname(lock), { recursive: true })
  writeFileSync(own, String(process.pid))
  process.on('exit', () => rmSync(own, { force: true }))
  for (let announced = false; ; await new Promise((done) => setTimeout(done, 100))) {
    try {
      linkSync(own, lock)
      process.on('exit', () => rmSync(lock, { force: true }))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    let holder
    try {
      holder = readFileSync(lock, 'utf8')
    } catch {
      continue // released just now
    }
    if (!isRunning(Number(holder))) {
      removeStaleLock(lock, own, holder)
      continue
    }
    if (!announced) console.log('waiting for another build of the web console')
    announced = true
  }
}

/** Removes a lock whose holder is gone; one that another run has taken meanwhile is put back. */
function removeStaleLock(lock, own, holder) {
  const aside = `${own}-aside`
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
await acquireLock()
install()
if (process.argv.includes('--install-only')) types()
else build()
