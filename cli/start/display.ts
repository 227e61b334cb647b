import cliProgress from 'cli-progress';
import { createLogUpdate } from 'log-update';
import { printable } from '../../core/text/printable.ts';
import type { StepProgress } from '../../local/pipeline/options.ts';

/** What a person sees of a long run: steps with their times, then a panel that keeps changing. */
export interface Display {
  /** Does a piece of work and shows it with its time. */
  step<T>(title: string, work: (progress: StepProgress) => Promise<T>): Promise<T>;
  /** On a terminal, replaces the panel; elsewhere, prints the line. */
  update(panel: string, line: string): void;
  /** Prints text that stays. */
  print(text: string): void;
  /** Seconds of each finished step, by title. */
  readonly stepSeconds: ReadonlyMap<string, number>;
  /** Stops updating and leaves the last panel on the screen. */
  end(): void;
}

/** Live on a terminal, plain lines elsewhere. */
export function createDisplay(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? liveDisplay(stream) : plainDisplay(stream);
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function plainDisplay(stream: NodeJS.WriteStream): Display {
  const stepSeconds = new Map<string, number>();
  const print = (text: string) => void stream.write(`${printable(text)}\n`);
  return {
    stepSeconds,
    async step(title, work) {
      let found = '';
      let shownTenths = 0;
      const startedMs = performance.now();
      const result = await work({
        note: (text) => {
          found = text;
        },
        progress(fraction, text) {
          const tenths = Math.floor(fraction * 10);
          if (tenths > shownTenths) print(`… ${title}: ${tenths * 10} % (${text})`);
          shownTenths = Math.max(shownTenths, tenths);
        },
      });
      const tookMs = performance.now() - startedMs;
      stepSeconds.set(title, tookMs / 1_000);
      print(`✔ ${title}${found ? ` ${found}` : ''} (${seconds(tookMs)})`);
      return result;
    },
    update: (_, line) => print(line),
    print,
    end: () => {},
  };
}

interface LiveStep {
  title: string;
  startedMs: number;
  endedMs?: number;
  failed?: boolean;
  found: string;
  bar: string;
}

/** The times show tenths of a second. */
const FRAME_MS = 100;
const BAR = {
  barsize: 30,
  barCompleteString: '█'.repeat(30),
  barIncompleteString: '░'.repeat(30),
  barGlue: '',
};

function liveDisplay(stream: NodeJS.WriteStream): Display {
  const stepSeconds = new Map<string, number>();
  const screen = createLogUpdate(stream);
  const steps: LiveStep[] = [];
  let panel = '';
  let frames: NodeJS.Timeout | undefined;

  const draw = () => {
    const lines = steps.map(({ title, startedMs, endedMs, failed, found, bar }) => {
      const icon = endedMs === undefined ? '…' : failed ? '✖' : '✔';
      const took = seconds((endedMs ?? performance.now()) - startedMs).padStart(7);
      return `${icon} ${title.padEnd(36)}${took}  ${endedMs === undefined ? bar : found}`;
    });
    screen(printable([...lines, ...(panel ? ['', panel] : [])].join('\n')));
  };
  const end = () => {
    clearInterval(frames);
    frames = undefined;
    if (steps.length > 0 || panel) {
      draw();
      screen.done();
    }
    steps.length = 0;
    panel = '';
  };
  const begin = () => {
    frames ??= setInterval(draw, FRAME_MS).unref();
  };

  return {
    stepSeconds,
    async step(title, work) {
      const step: LiveStep = { title, startedMs: performance.now(), found: '', bar: '' };
      steps.push(step);
      begin();
      try {
        return await work({
          note: (text) => {
            step.found = text;
          },
          progress(fraction, text) {
            step.bar = `${cliProgress.Format.BarFormat(fraction, BAR)} ${text}`;
          },
        });
      } catch (error) {
        step.failed = true;
        throw error;
      } finally {
        step.endedMs = performance.now();
        stepSeconds.set(title, (step.endedMs - step.startedMs) / 1_000);
      }
    },
    update(text) {
      panel = text;
      begin();
    },
    print(text) {
      end();
      stream.write(`${printable(text)}\n`);
    },
    end,
  };
}
