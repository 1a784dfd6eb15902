import { PasswordInput, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import classes from './NewPasswordFields.module.css'

export interface PasswordPair {
  password: string
  repeated: string
}

interface Props {
  /** Whose password it is, where the page knows: password managers update the entry of that name. */
  username?: string | undefined
  value: PasswordPair
  onChange: (value: PasswordPair) => void
  /** Words that the password must not contain, as far as the page knows them: username, email, name. */
  forbiddenWords?: string[]
  /** The API's message for the password. */
  error?: string | undefined
  /** The two passwords were submitted and differ. */
  mismatch: boolean
  autoFocus?: boolean
}

const grades = ['Very weak', 'Weak', 'Fair', 'Good', 'Strong']

/** A new password, entered twice, with its strength and what the policy rejects. */
export function NewPasswordFields({
  username,
  value,
  onChange,
  forbiddenWords = [],
  error,
  mismatch,
  autoFocus,
}: Props) {
  const [debounced] = useDebouncedValue(value.password, 250)
  const check = useQuery({
    queryKey: ['password check', debounced, forbiddenWords],
    queryFn: () =>
      unwrap(
        api.POST('/api/password/check', {
          body: { password: debounced, words: forbiddenWords.filter(Boolean).slice(0, 8) },
        }),
      ),
    placeholderData: (before) => before,
    staleTime: Infinity,
    gcTime: 0, // passwords are not kept in the cache
    retry: false,
  })
  const assessment = check.data
  const typed = value.password !== ''
  return (
    <Stack gap="sm">
      {username && <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />}
      <PasswordInput
        label="New password"
        name="new-password"
        autoComplete="new-password"
        maxLength={1000}
        autoFocus={autoFocus}
        data-autofocus={autoFocus || undefined}
        value={value.password}
        onChange={(e) => onChange({ ...value, password: e.currentTarget.value })}
        error={error}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the new password', tabIndex: 0 }}
        description={`${assessment ? `At least ${assessment.shortest} characters. ` : ''}A few unrelated words make a good password; spaces are allowed. It must not contain your username, email or name.`}
      />
      <div className={classes.strength} aria-live="polite">
        <div className={classes.bars} data-score={typed && assessment ? assessment.score : undefined} aria-hidden>
          {[1, 2, 3, 4].map((n) => (
            <span key={n} data-on={(typed && assessment && assessment.score >= n) || undefined} />
          ))}
        </div>
        {typed && assessment && (
          <>
            <Text size="sm" fw={600} component="p" className={classes.line}>
              {assessment.accepted ? <IconCheck size={16} aria-hidden /> : <IconX size={16} aria-hidden />}
              Strength: {grades[assessment.score]}
              {assessment.accepted ? '' : ', not allowed'}
            </Text>
            {assessment.fields.map((f, i) => (
              <Text key={i} size="sm">
                {f.message}
              </Text>
            ))}
            {assessment.advice && !assessment.fields.some((f) => f.message.includes(assessment.advice)) && (
              <Text size="sm" c="dimmed">
                {assessment.advice}
              </Text>
            )}
          </>
        )}
      </div>
      <PasswordInput
        label="Repeat new password"
        name="new-password-repeated"
        autoComplete="new-password"
        maxLength={1000}
        value={value.repeated}
        onChange={(e) => onChange({ ...value, repeated: e.currentTarget.value })}
        error={mismatch && value.password !== value.repeated && 'The passwords do not match.'}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the repeated password', tabIndex: 0 }}
      />
    </Stack>
  )
}
