/** Downloads a file. Links expire after some minutes, so they are fetched when needed. */
export function download(url: string, name: string) {
  const a = document.createElement('a')
  a.href = url
  a.download = name
  document.body.append(a)
  a.click()
  a.remove()
}
