/** The text of a Java properties file. Java reads these as Latin-1, so everything outside ASCII is escaped. */
export function javaProperties(entries: Readonly<Record<string, string | number | boolean>>): string {
  const escaped = (text: string): string =>
    text
      .replaceAll('\\', '\\\\')
      .replace(/^ /, '\\ ')
      .replaceAll('\n', '\\n')
      .replaceAll(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${escaped(String(value))}\n`)
    .join('');
}

/** A Log4j 2 configuration that logs everything from INFO on to the console. */
export const LOG_TO_CONSOLE = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;
