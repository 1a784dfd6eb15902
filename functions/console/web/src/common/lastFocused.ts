// The element that had the focus last. It is noted on every change, because a menu item that opens a dialog loses the
// focus before the dialog renders. For a menu item it is the button of the menu.
let last: HTMLElement | null = null
document.addEventListener('focusin', ({ target }) => {
  if (!(target instanceof HTMLElement)) return
  const menu = target.closest('[role=menu]')?.getAttribute('aria-labelledby')
  last = menu ? document.getElementById(menu) : target
})

export const lastFocused = () => last
