import type { Field } from '../../fields/fields'
import type { Account } from '../account'

/** What a tab of an account is given. */
export interface TabProps {
  account: Account
  fields: Field[]
}
