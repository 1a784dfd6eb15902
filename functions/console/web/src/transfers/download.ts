/** Follows a link that downloads. Links work for some minutes only, so each is asked for when it is wanted. */
export function download(url: string, name: string) {
  const a = document.createElement('a')
  a.href = url
  a.download = name
  document.body.append(a)
  a.click()
  a.remove()
}
