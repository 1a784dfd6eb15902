// What every browser test needs: Chromium, a page that collects its errors, screenshots, axe.
import { readFileSync } from 'node:fs'
import { mkdirSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const web = dirname(dirname(fileURLToPath(import.meta.url)))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const screenshotDir = join(web, 'screenshots')

/** The browser to use: CHROMIUM, or an installed one; undefined if there is none. */
export function findChromium() {
  const known = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
  return [process.env.CHROMIUM, ...known].find((path) => path && existsSync(path))
}

export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export const wide = { width: 1280, height: 860 }
export const narrow = { width: 390, height: 844 }

/** Opens a page on the system under test and collects its errors: policy violations, exceptions, foreign requests. */
export async function open(browser, origin, { viewport = wide, dark = false, storageState } = {}) {
  const context = await browser.newContext({
    viewport,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    baseURL: origin,
    storageState,
    locale: 'en-GB',
  })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const pageErrors = []
  page.on('console', (m) => {
    if (/Content Security Policy|Content-Security-Policy/i.test(m.text())) pageErrors.push(`policy: ${m.text()}`)
    else if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) pageErrors.push(`console: ${m.text()}`)
  })
  page.on('pageerror', (e) => pageErrors.push(`error: ${e.message}`))
  page.on('request', (r) => {
    const url = new URL(r.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin)
      pageErrors.push(`request elsewhere: ${r.url()}`)
  })
  return { context, page, pageErrors }
}

/** Saves a screenshot. */
export async function screenshot(page, name) {
  mkdirSync(screenshotDir, { recursive: true })
  await page.screenshot({ path: join(screenshotDir, `${name}.png`), animations: 'disabled' })
}

/** What axe finds against WCAG 2.2 AA on the page as it is. */
export async function axeViolations(page) {
  // Through the debugger, not as a script element, which the policy would refuse.
  await page.evaluate(axe)
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  )
  return found.violations.map(
    (v) =>
      `${v.id} (${v.impact}): ${v.help}\n${v.nodes
        .slice(0, 4)
        .map((n) => `    ${n.html.slice(0, 200)}\n      ${n.failureSummary?.split('\n').slice(1, 3).join(' ')}`)
        .join('\n')}`,
  )
}

export async function signIn(page, { username, password }) {
  await page.goto('/accounts')
  await page.getByLabel('Username or email').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Waits until the user is signed in and the shell is shown. */
export const waitForShell = (page) => page.getByRole('button', { name: /your account/ }).waitFor()
