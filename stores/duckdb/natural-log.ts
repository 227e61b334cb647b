import { DOUBLE, type DuckDBConnection, DuckDBScalarFunction } from '@duckdb/node-api';

/**
 * Defines `natural_log(x)`. The logarithm of the C library is another in the last bit, once in some hundred times: log
 * returns would not be those of the index, and not the same on all machines.
 */
export function defineNaturalLog(connection: DuckDBConnection): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: 'natural_log',
      parameterTypes: [DOUBLE],
      returnType: DOUBLE,
      mainFunction(_info, input, output) {
        const numbers = input.getColumnVector(0);
        for (let row = 0; row < input.rowCount; row += 1) {
          const number = numbers.getItem(row) as number | null;
          output.setItem(row, number === null ? null : Math.log(number));
        }
        output.flush();
      },
    }),
  );
}
