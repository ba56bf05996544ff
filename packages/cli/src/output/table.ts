/** One column of a table: its heading and what it shows of a row. */
export interface Column<Row> {
  heading: string
  cell(row: Row): string
  /** How a cell is coloured; the text it gets is padded already. */
  paint?(row: Row): Paint | undefined
}

export type Paint = 'green' | 'yellow' | 'red' | 'dim' | 'bold'

const CODES: Record<Paint, number> = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 }

/** Rows below headings, columns aligned with two spaces between, no lines drawn. The last column is not padded. */
export function printTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  colour: boolean,
): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.cell(row))))
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...cells.map((row) => [...(row[index] ?? '')].length)),
  )
  const line = (texts: string[], paints: (Paint | undefined)[]) =>
    texts
      .map((text, index) => {
        const last = index === texts.length - 1
        return paint(last ? text : pad(text, widths[index] ?? 0), paints[index], colour)
      })
      .join('  ')
      .trimEnd()
  const heading = line(
    columns.map(({ heading }) => heading),
    columns.map(() => 'bold'),
  )
  const body = rows.map((row, index) =>
    line(
      cells[index] ?? [],
      columns.map((column) => column.paint?.(row)),
    ),
  )
  return `${[heading, ...body].join('\n')}\n`
}

/** Text in a colour, or as it is where colours are not wanted. */
export function paint(text: string, name: Paint | undefined, colour: boolean): string {
  return colour && name !== undefined ? `\u001b[${CODES[name]}m${text}\u001b[0m` : text
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length))
}

/** A message of several lines stays in its row. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim()
}
