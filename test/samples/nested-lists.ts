/** JSON of so many empty lists, one inside the other: deep enough, it exhausts a parser's stack. */
export const nestedLists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
