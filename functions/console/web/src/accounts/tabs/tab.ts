import type { Field } from '../../fields/fields'
import type { Account } from '../account'

/** The props of an account's tab. */
export interface TabProps {
  account: Account
  fields: Field[]
}
