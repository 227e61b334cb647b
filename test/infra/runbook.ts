import { readFileSync } from 'node:fs';
import type { Command } from 'commander';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export interface RunbookSection {
  title: string;
  /** As GitHub makes it of the title. */
  anchor: string;
  text: string;
}

/** The sections of `docs/runbook.md`, whatever their level. */
export function runbookSections(): RunbookSection[] {
  return read('docs/runbook.md')
    .split(/^(?=#{2,3} )/m)
    .slice(1)
    .map((section) => {
      const title = (section.split('\n', 1)[0] as string).replace(/^#+ /, '');
      return { title, anchor: anchorOf(title), text: section.slice(section.indexOf('\n') + 1) };
    });
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

/** The commands of this project in a text that do not exist, or have no such option. */
export async function wrongCommandsIn(text: string): Promise<string[]> {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const wrong: string[] = [];
  for (const [typed, name = '', rest = ''] of text.matchAll(/npm run ([\w:-]+)((?: [^\n`|;]*)?)/g)) {
    if (scripts[name] === undefined) wrong.push(`there is no ${typed}`);
    else if (scripts[name].endsWith(`cli/main.ts ${name}`)) {
      const { command } = (await import(`../../cli/commands/${name}.ts`)) as { command: Command };
      const known = [command, ...command.commands].flatMap(({ options }) => options.map(({ long }) => long));
      for (const [, option = ''] of rest.matchAll(/ (--[a-z][\w-]+)/g)) {
        if (!known.includes(option)) wrong.push(`${typed.trim()}: no ${option}`);
      }
    }
  }
  return wrong;
}
