/**
 * Control characters, of which a terminal takes some as commands (to write the clipboard, to move the cursor over what
 * was printed before), and marks that turn the direction of the text after them. Tabs and line ends are left.
 */
const COMMANDS = /\r(?!\n)|(?![\t\r\n])[\p{Cc}\p{Bidi_Control}]/gu;

/** Makes text from outside safe to print. */
export function printable(text: string): string {
  return text.replace(COMMANDS, '\ufffd');
}
