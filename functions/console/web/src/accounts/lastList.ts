let search = ''

/** Notes the filters and the order of the list, for the way back to it. */
export const noteListAddress = (next: string) => {
  search = next
}

/** The address of the list as it was shown last. */
export const listAddress = () => `/accounts${search}`
