import { Radio, Stack, Text } from '@mantine/core'
import { dateFormats, isDateFormat } from './job'
import type { DateFormat } from './job'

/** The date format of a sheet, with an example for each. */
export function DateFormatInput({
  value,
  onChange,
  help,
}: {
  value: DateFormat
  onChange: (value: DateFormat) => void
  help: string
}) {
  return (
    <Radio.Group
      label="Date format"
      description={help}
      value={value}
      onChange={(next) => {
        if (isDateFormat(next)) onChange(next)
      }}
    >
      <Stack gap={8} mt={8}>
        {dateFormats.map((f) => (
          <Radio
            key={f.value}
            value={f.value}
            label={
              <>
                {f.label}{' '}
                <Text span c="dimmed" inherit>
                  {f.example}
                </Text>
              </>
            }
          />
        ))}
      </Stack>
    </Radio.Group>
  )
}
