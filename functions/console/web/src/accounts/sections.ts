/** The sections of the account's form, by the names that its fields have; fields of others are on tabs. */
export const sections = [
  { name: 'user', label: 'User' },
  { name: 'contact', label: 'Contact' },
  { name: 'mfa', label: 'Multi-factor' },
  { name: 'status', label: 'Status' },
]
