import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import type { Schemas } from '../api/client'
import { Panel } from '../common/Panel'
import { ResponsiveTable } from '../common/ResponsiveTable'
import classes from './Home.module.css'

type Day = Schemas['AccountsDay']

const chartHeight = 120
const dayWidth = 40
const barWidth = 13

/** Sign-ins and failures by day, as a chart or as a table. */
export function SignInChart({ days }: { days: Day[] }) {
  const [asTable, setAsTable] = useState(false)
  const maximum = Math.max(4, ...days.flatMap((d) => [d.signIns, d.failures]))
  const y = (n: number) => (n === 0 ? 0 : Math.max(2, (n / maximum) * chartHeight))
  const counted = (n: number, one: string) => `${n.toLocaleString()} ${one}${n === 1 ? '' : 's'}`
  const sum = (of: 'signIns' | 'failures') => days.reduce((all, d) => all + d[of], 0)
  const formatDay = (date: string) =>
    new Date(`${date}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
  return (
    <Panel
      title="Sign-ins and failures"
      help={`${counted(sum('signIns'), 'sign-in')} and ${counted(sum('failures'), 'failure')} in the last ${days.length} days (UTC).`}
      actions={
        <Button size="compact-sm" variant="subtle" aria-expanded={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show chart' : 'Show table'}
        </Button>
      }
    >
      {asTable ? (
        <ResponsiveTable
          label="Sign-ins and failures by day"
          rows={[...days].reverse()}
          rowKey={(d) => d.date}
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
            viewBox={`-26 -8 ${days.length * dayWidth + 42} ${chartHeight + 32}`}
            role="img"
            aria-label={`Sign-ins and failures by day. The busiest day has ${maximum}. “Show table” gives the figures.`}
          >
            {[0, 0.5, 1].map((part) => (
              <g key={part}>
                <line
                  x1={0}
                  x2={days.length * dayWidth}
                  y1={chartHeight - part * chartHeight}
                  y2={chartHeight - part * chartHeight}
                  className={classes.rule}
                />
                <text x={-6} y={chartHeight - part * chartHeight + 4} textAnchor="end" className={classes.axis}>
                  {Math.round(part * maximum)}
                </text>
              </g>
            ))}
            {days.map((d, i) => (
              <g key={d.date}>
                <rect
                  x={i * dayWidth + 6}
                  y={chartHeight - y(d.signIns)}
                  width={barWidth}
                  height={y(d.signIns)}
                  rx={2}
                  className={classes.good}
                >
                  <title>{`${d.date}: ${d.signIns} sign-ins`}</title>
                </rect>
                <rect
                  x={i * dayWidth + 6 + barWidth + 2}
                  y={chartHeight - y(d.failures)}
                  width={barWidth}
                  height={y(d.failures)}
                  rx={2}
                  className={classes.bad}
                >
                  <title>{`${d.date}: ${d.failures} failures`}</title>
                </rect>
                {(days.length - 1 - i) % 2 === 0 && (
                  <text
                    x={i * dayWidth + dayWidth / 2}
                    y={chartHeight + 18}
                    textAnchor="middle"
                    className={classes.axis}
                  >
                    {formatDay(d.date)}
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
