import type { TablerIcon } from '@tabler/icons-react'
import {
  IconAdjustments,
  IconApps,
  IconBuilding,
  IconBuildingBank,
  IconCalendarDollar,
  IconCertificate,
  IconHistory,
  IconHome,
  IconId,
  IconListCheck,
  IconKey,
  IconLock,
  IconMail,
  IconPlugConnected,
  IconReportMoney,
  IconShieldHalf,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react'
import type { Page } from './page'
import { referenceKinds, readPermissions } from './settings/referenceKinds'

const icons: Record<string, TablerIcon> = {
  licences: IconCertificate,
  roles: IconShieldHalf,
  groups: IconUsersGroup,
  'dac-groups': IconLock,
  applications: IconApps,
  resources: IconId,
  'resource-groups': IconUsersGroup,
  departments: IconBuilding,
  'cost-centres': IconReportMoney,
  'payment-methods': IconBuildingBank,
  'payment-terms': IconCalendarDollar,
}

const navGroups = {
  access: 'User access',
  applications: 'User access',
  reference: 'Resources',
  resources: 'Resources',
}

/** The pages of reference data: one component, a row for each kind. */
const reference: Page[] = referenceKinds.map((kind): Page => ({
  path: `settings/${kind.kind}`,
  title: kind.title,
  permission: readPermissions[kind.family],
  nav: {
    label: kind.title,
    icon: icons[kind.kind] ?? IconKey,
    group: navGroups[kind.family],
  },
  lazy: async () => ({ Component: (await import('./settings/ReferencePage')).referencePage(kind) }),
}))

/** Every page. A new one adds a row; its code is loaded when it is opened. */
export const pages: Page[] = [
  {
    path: '',
    title: 'Home',
    nav: { label: 'Home', icon: IconHome, group: 'Overview' },
    lazy: async () => ({ Component: (await import('./home/HomePage')).HomePage }),
  },
  {
    path: 'accounts',
    title: 'User accounts',
    permission: 'account.read',
    nav: { label: 'User accounts', icon: IconUsers, group: 'User access' },
    lazy: async () => ({ Component: (await import('./accounts/AccountsPage')).AccountsPage }),
  },
  {
    path: 'accounts/new',
    title: 'New user account',
    permission: 'account.create',
    lazy: async () => ({ Component: (await import('./accounts/NewAccountPage')).NewAccountPage }),
  },
  {
    path: 'accounts/:id/:tab?',
    title: 'User account',
    permission: 'account.read',
    lazy: async () => ({ Component: (await import('./accounts/AccountPage')).AccountPage }),
  },
  {
    path: 'import',
    title: 'Import User Accounts',
    permission: 'account.import',
    menu: { of: 'accounts', label: 'Import' },
    lazy: async () => ({ Component: (await import('./transfers/ImportPage')).ImportPage }),
  },
  {
    path: 'export',
    title: 'Export User Accounts',
    permission: 'account.export',
    menu: { of: 'accounts', label: 'Export' },
    lazy: async () => ({ Component: (await import('./transfers/ExportPage')).ExportPage }),
  },
  {
    path: 'jobs',
    title: 'Jobs',
    nav: { label: 'Jobs', icon: IconListCheck, group: 'User access' },
    lazy: async () => ({ Component: (await import('./transfers/JobsPage')).JobsPage }),
  },
  {
    path: 'jobs/:id',
    title: 'Job',
    lazy: async () => ({ Component: (await import('./transfers/JobPage')).JobPage }),
  },
  ...reference,
  {
    path: 'settings/environment',
    title: 'Environment defaults',
    permission: 'settings.read',
    nav: { label: 'Environment defaults', icon: IconAdjustments, group: 'Settings' },
    lazy: async () => ({ Component: (await import('./settings/EnvironmentPage')).EnvironmentPage }),
  },
  {
    path: 'settings/providers',
    title: 'Single sign-on',
    permission: 'settings.read',
    nav: { label: 'Single sign-on', icon: IconPlugConnected, group: 'Settings' },
    lazy: async () => ({ Component: (await import('./settings/ProvidersPage')).ProvidersPage }),
  },
  {
    path: 'settings/communications',
    title: 'Communication log',
    permission: 'communication.read',
    nav: { label: 'Communication log', icon: IconMail, group: 'Settings' },
    lazy: async () => ({ Component: (await import('./settings/CommunicationPage')).CommunicationPage }),
  },
  {
    path: 'settings/log',
    title: 'Environment log',
    permission: 'settings.read',
    nav: { label: 'Environment log', icon: IconHistory, group: 'Settings' },
    lazy: async () => ({ Component: (await import('./settings/EnvironmentLogPage')).EnvironmentLogPage }),
  },
  {
    path: 'me',
    title: 'My account',
    lazy: async () => ({ Component: (await import('./me/MePage')).MePage }),
  },
  {
    path: 'accounts/sso-links',
    title: 'SSO Link Wizard',
    permission: 'account.link',
    menu: { of: 'accounts', label: 'SSO Link Wizard' },
    lazy: async () => ({ Component: (await import('./sso/LinkWizardPage')).LinkWizardPage }),
  },
]
