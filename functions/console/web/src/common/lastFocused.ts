// What had the focus last. A dialog may come a moment after what opened it lost the focus, as an entry of a menu does that closes;
// so it is noted as it gets it. For such an entry it is the button of its menu.
let last: HTMLElement | null = null
document.addEventListener('focusin', ({ target }) => {
  if (!(target instanceof HTMLElement)) return
  const menu = target.closest('[role=menu]')?.getAttribute('aria-labelledby')
  last = menu ? document.getElementById(menu) : target
})

export const lastFocused = () => last
