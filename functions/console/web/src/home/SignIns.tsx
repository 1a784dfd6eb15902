import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import type { Schemas } from '../api/client'
import { Panel } from '../common/Panel'
import { Records } from '../common/Records'
import classes from './Home.module.css'

type Day = Schemas['AccountsDay']

const high = 120
const step = 40
const wide = 13

/** Sign-ins and failures by day: a picture, and the same as a table for who wants figures. */
export function SignIns({ days }: { days: Day[] }) {
  const [table, setTable] = useState(false)
  const most = Math.max(4, ...days.flatMap((d) => [d.signIns, d.failures]))
  const y = (n: number) => (n === 0 ? 0 : Math.max(2, (n / most) * high))
  const counted = (n: number, one: string) => `${n.toLocaleString()} ${one}${n === 1 ? '' : 's'}`
  const sum = (of: 'signIns' | 'failures') => days.reduce((all, d) => all + d[of], 0)
  const short = (date: string) =>
    new Date(`${date}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
  return (
    <Panel
      title="Sign-ins and failures"
      help={`${counted(sum('signIns'), 'sign-in')} and ${counted(sum('failures'), 'failure')} in the last ${days.length} days (UTC).`}
      actions={
        <Button size="compact-sm" variant="subtle" aria-expanded={table} onClick={() => setTable(!table)}>
          {table ? 'As a picture' : 'As a table'}
        </Button>
      }
    >
      {table ? (
        <Records
          label="Sign-ins and failures by day"
          rows={[...days].reverse()}
          idOf={(d) => d.date}
          columns={[
            { label: 'Day', cell: (d) => d.date },
            { label: 'Sign-ins', cell: (d) => d.signIns },
            { label: 'Failures', cell: (d) => d.failures },
          ]}
        />
      ) : (
        <>
          <svg
            className={classes.chart}
            viewBox={`-26 -8 ${days.length * step + 42} ${high + 32}`}
            role="img"
            aria-label={`Sign-ins and failures by day. The highest day has ${most}. “As a table” gives the figures.`}
          >
            {[0, 0.5, 1].map((part) => (
              <g key={part}>
                <line
                  x1={0}
                  x2={days.length * step}
                  y1={high - part * high}
                  y2={high - part * high}
                  className={classes.rule}
                />
                <text x={-6} y={high - part * high + 4} textAnchor="end" className={classes.axis}>
                  {Math.round(part * most)}
                </text>
              </g>
            ))}
            {days.map((d, i) => (
              <g key={d.date}>
                <rect
                  x={i * step + 6}
                  y={high - y(d.signIns)}
                  width={wide}
                  height={y(d.signIns)}
                  rx={2}
                  className={classes.good}
                >
                  <title>{`${d.date}: ${d.signIns} sign-ins`}</title>
                </rect>
                <rect
                  x={i * step + 6 + wide + 2}
                  y={high - y(d.failures)}
                  width={wide}
                  height={y(d.failures)}
                  rx={2}
                  className={classes.bad}
                >
                  <title>{`${d.date}: ${d.failures} failures`}</title>
                </rect>
                {(days.length - 1 - i) % 2 === 0 && (
                  <text x={i * step + step / 2} y={high + 18} textAnchor="middle" className={classes.axis}>
                    {short(d.date)}
                  </text>
                )}
              </g>
            ))}
          </svg>
          <Text size="sm" c="dimmed" component="p" className={classes.legend}>
            <span data-what="good" aria-hidden />
            Sign-ins <span data-what="bad" aria-hidden />
            Failures
          </Text>
        </>
      )}
    </Panel>
  )
}
