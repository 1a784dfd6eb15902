import type { Account } from '../account'

/** The props of an action's dialog. */
export interface DialogProps {
  account: Account
  onClose: () => void
}
