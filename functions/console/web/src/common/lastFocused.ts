let last: HTMLElement | null = null

/** The element that had the focus last. */
export const lastFocused = () => last

/**
 * Notes the focus on every change, because a menu item that opens a dialog loses the focus before the dialog renders.
 * For a menu item the button of the menu is noted.
 */
export function watchFocus() {
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    const menu = target.closest('[role=menu]')?.getAttribute('aria-labelledby')
    last = menu ? document.getElementById(menu) : target
  })
}
