import { readFileSync } from 'node:fs';

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

/** What is wrong with the commands of this project in a text: scripts and options that there are not. */
export function wrongCommandsIn(text: string): string[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  return [...text.matchAll(/npm run ([\w:-]+)((?: [^\n`|;]*)?)/g)].flatMap(
    ([command, name = '', rest = '']) => {
      const script = scripts[name];
      if (script === undefined) return [`there is no ${command}`];
      const file = /cli\/[\w-]+\.ts/.exec(script)?.[0];
      if (!file) return [];
      const source = `${read(file)}${read('cli/options.ts')}${read('cli/target.ts')}${read('cli/source-option.ts')}`;
      return [...rest.matchAll(/ (--[a-z][\w-]+)/g)].flatMap(([, option = '']) =>
        source.includes(`'${option}'`) || source.includes(`'${option} `)
          ? []
          : [`${command.trim()}: no ${option}`],
      );
    },
  );
}
