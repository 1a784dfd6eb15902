import type { Account } from '../account'

/** What the dialog of an action is given. */
export interface DialogProps {
  account: Account
  onClose: () => void
}
