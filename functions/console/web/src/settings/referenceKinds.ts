/** One kind of reference data, and its page. */
export interface ReferenceKind {
  /** Its name in the API and in the page's address. */
  kind: string
  family: 'access' | 'reference' | 'resources' | 'applications'
  title: string
  /** One of them, after "New". */
  singular: string
  help: string
  /** What a blank field means where it is no mere gap. */
  blankTexts?: Record<string, string>
}

/** Every kind of reference data. */
export const referenceKinds: ReferenceKind[] = [
  {
    kind: 'licences',
    family: 'access',
    title: 'Access licences',
    singular: 'access licence',
    help: 'The user type of an account: which roles it can have, and how many accounts can have it.',
    blankTexts: { roles: 'All roles', seats: 'No limit' },
  },
  { kind: 'roles', family: 'access', title: 'User roles', singular: 'user role', help: 'What people can see and do.' },
  {
    kind: 'groups',
    family: 'access',
    title: 'User groups',
    singular: 'user group',
    help: 'Roles that are assigned together. A group can contain other groups and then includes their roles.',
  },
  {
    kind: 'dac-groups',
    family: 'access',
    title: 'DAC groups',
    singular: 'DAC group',
    help: 'Data access control: groups that an account can belong to, where the environment uses them.',
  },
  {
    kind: 'applications',
    family: 'applications',
    title: 'Applications',
    singular: 'application',
    help: 'The systems that trust these accounts: their permissions, addresses and credentials.',
  },
  {
    kind: 'resources',
    family: 'resources',
    title: 'Resources',
    singular: 'resource',
    help: 'Staff whose timesheets and expenses are recorded.',
  },
  {
    kind: 'resource-groups',
    family: 'reference',
    title: 'Resource groups',
    singular: 'resource group',
    help: 'Set the defaults of new resources.',
  },
  {
    kind: 'departments',
    family: 'reference',
    title: 'Departments',
    singular: 'department',
    help: 'The departments that resources belong to.',
  },
  {
    kind: 'cost-centres',
    family: 'reference',
    title: 'Cost centres',
    singular: 'cost centre',
    help: 'What resources are charged to.',
  },
  {
    kind: 'payment-methods',
    family: 'reference',
    title: 'Payment methods',
    singular: 'payment method',
    help: 'How resources are paid, for instance staff expenses.',
  },
  {
    kind: 'payment-terms',
    family: 'reference',
    title: 'Payment terms',
    singular: 'payment terms',
    help: 'When resources are paid.',
  },
]

export const readPermissions = {
  access: 'access.read',
  reference: 'reference.read',
  resources: 'resource.read',
  applications: 'application.read',
}
export const writePermissions = {
  access: 'access.write',
  reference: 'reference.write',
  resources: 'resource.write',
  applications: 'application.write',
}
