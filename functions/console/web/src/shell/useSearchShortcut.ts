import { useEffect } from 'react'

const textInputs = 'input, textarea, select, [contenteditable="true"], [role="listbox"], [role="combobox"]'

/** The slash key focuses the page's search, unless an input has the focus or a dialog is open. */
export function useSearchShortcut() {
  useEffect(() => {
    const handleKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (event.target instanceof Element && event.target.closest(textInputs)) return
      if (document.querySelector('[role="dialog"]')) return
      const search = document.querySelector<HTMLInputElement>('main [data-search]')
      if (!search) return
      event.preventDefault()
      search.focus()
      search.select()
    }
    window.addEventListener('keydown', handleKey)
    return () => window.removeEventListener('keydown', handleKey)
  }, [])
}
