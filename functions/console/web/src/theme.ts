import {
  Anchor,
  Button,
  Checkbox,
  createTheme,
  Drawer,
  Menu,
  Modal,
  MultiSelect,
  Notification,
  NumberInput,
  PasswordInput,
  Popover,
  Select,
  Table,
  TextInput,
  Textarea,
  Tooltip,
} from '@mantine/core'

// Colours are in styles/variables.css: Mantine would put a theme's variables into a style element, which the policy
// forbids. For the same reason the scroll lock is in styles/global.css, not in react-remove-scroll.
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        overlayProps: { backgroundOpacity: 0.5 },
        transitionProps: { duration: 120 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    }),
    Drawer: Drawer.extend({
      defaultProps: {
        lockScroll: false,
        transitionProps: { duration: 120 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md', withArrow: false } }),
    Menu: Menu.extend({ defaultProps: { shadow: 'md', position: 'bottom-end' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300 } }),
    Select: Select.extend({
      defaultProps: { comboboxProps: { shadow: 'md' }, nothingFoundMessage: 'No matches', maxDropdownHeight: 280 },
    }),
    MultiSelect: MultiSelect.extend({
      defaultProps: { comboboxProps: { shadow: 'md' }, nothingFoundMessage: 'No matches' },
    }),
    Anchor: Anchor.extend({ defaultProps: { underline: 'hover' } }),
    Button: Button.extend({ defaultProps: {} }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 'xs' } }),
    TextInput: TextInput.extend({ defaultProps: {} }),
    Textarea: Textarea.extend({ defaultProps: { autosize: false } }),
    NumberInput: NumberInput.extend({ defaultProps: {} }),
    PasswordInput: PasswordInput.extend({ defaultProps: {} }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close message' } } }),
    Checkbox: Checkbox.extend({ defaultProps: {} }),
  },
})
