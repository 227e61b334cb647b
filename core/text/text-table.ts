import Table from 'cli-table3';

/** A table for people: names to the left, numbers to the right, no lines but the blanks between columns. */
export function textTable(head: string[]): Table.Table {
  const none = '';
  return new Table({
    ...(head.some((title) => title !== '') ? { head } : {}),
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: '  ',
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
}
