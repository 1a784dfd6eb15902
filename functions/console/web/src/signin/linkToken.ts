let token = ''

/**
 * Takes the token from the fragment of a password link and removes it from the address bar and the history at once.
 * Browsers send no fragment to a server; the token goes only into the body of the request that uses it.
 */
export function takeLinkToken(): string {
  const found = window.location.hash.slice(1)
  if (found) {
    token = found
    window.history.replaceState(window.history.state, '', window.location.pathname)
  }
  return token
}
