// The short run: signing in, the list, an account, signing out; each page under the policy and under axe.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findChromium, launch, narrow, open, screenshot, signIn, axeViolations, wide } from './browser.mjs'
import { administrator, origin } from './system.mjs'

let browser
before(async () => {
  browser = await launch(findChromium())
})
after(() => browser.close())

for (const [look, options] of Object.entries({
  'wide light': { viewport: wide },
  'narrow dark': { viewport: narrow, dark: true },
})) {
  test(`sign-in, list, account, sign-out: ${look}`, async () => {
    const { page, pageErrors, context } = await open(browser, origin, options)
    const name = look.replace(' ', '-')
    const checkPage = async (what) => {
      await screenshot(page, `${what}-${name}`)
      assert.deepEqual(await axeViolations(page), [], `axe on ${what}`)
    }
    await page.goto('/accounts')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await checkPage('sign-in')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('Enter your password.').waitFor()
    await signIn(page, { ...administrator, password: 'not the password' })
    await page.getByRole('alert').waitFor()
    await checkPage('sign-in-refused')
    await signIn(page, administrator)

    await page.getByRole('heading', { name: 'User accounts' }).waitFor()
    await page.getByRole('link', { name: 'admin', exact: true }).waitFor()
    await checkPage('accounts')
    await page.getByRole('link', { name: 'admin', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Administrator' }).waitFor()
    await page.getByText('Effective permissions').waitFor()
    await checkPage('account')

    await page.goto('/nowhere/to/be/seen')
    await page.getByRole('heading', { name: 'Page not found' }).waitFor() // the session outlives the page
    // V57: nothing that opens a session is where a script could read it.
    const stored = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    )
    assert.doesNotMatch(stored, /ua[tar]_|token/i)
    await page.getByRole('button', { name: /your account/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    assert.deepEqual(pageErrors, [])
    await context.close()
  })
}

test('what is under /api is never answered by the page, and what is no file is', async () => {
  const missing = await fetch(`${origin}/api/nothing`)
  assert.equal(missing.status, 404)
  assert.equal(missing.headers.get('content-type'), 'application/problem+json')
  assert.equal((await fetch(`${origin}/assets/gone.js`)).status, 404)
  const deep = await fetch(`${origin}/accounts/01JZ0000000000000000000000?tab=x`)
  assert.match(await deep.text(), /<div id="root">/)
  assert.equal(deep.headers.get('cache-control'), 'no-store')
})
