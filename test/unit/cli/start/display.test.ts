import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createDisplay } from '../../../../cli/start/display.ts';

function recordingStream(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100, rows: 30 });
  const text = (): string => String(stream.read() ?? '');
  return { stream: stream as unknown as NodeJS.WriteStream, text };
}

describe('the display without a terminal', () => {
  it('prints a line for each step, with its time and what it found', async () => {
    const { stream, text } = recordingStream(false);
    const display = createDisplay(stream);
    const answer = await display.step('Apache Kafka', async ({ note }) => {
      note('127.0.0.1:9092');
      return 42;
    });
    expect(answer).toBe(42);
    expect(text()).toMatch(/^✔ Apache Kafka 127\.0\.0\.1:9092 \(\d+\.\d s\)\n$/);
    expect(display.stepSeconds.has('Apache Kafka')).toBe(true);
  });

  it('prints a download’s progress by tenths, not by jar', async () => {
    const { stream, text } = recordingStream(false);
    await createDisplay(stream).step('Engines', async ({ progress }) => {
      for (let jar = 1; jar <= 100; jar++) progress(jar / 100, 'downloading');
    });
    expect(
      text()
        .split('\n')
        .filter((line) => line.startsWith('…')),
    ).toHaveLength(10);
  });

  it('prints the line of an update, without control characters', () => {
    const { stream, text } = recordingStream(false);
    createDisplay(stream).update('panel', 'line');
    expect(text()).toBe('line\n');
  });
});

it.each([true, false])(
  'shows no command for the terminal that a failure quotes (terminal: %s)',
  async (isTTY) => {
    const { stream, text } = recordingStream(isTTY);
    const display = createDisplay(stream);
    const quoted = 'denied \u001b]52;c;eA==\u0007\u009b2J\u202e';
    await display.step('Source', async ({ note }) => note(quoted));
    display.update(quoted, quoted);
    display.end();
    display.print(quoted);
    const shown = text();
    expect(shown).toContain('denied');
    // On a terminal the panel itself moves the cursor.
    for (const command of ['\u001b]', '\u0007', '\u009b', '\u202e']) expect(shown).not.toContain(command);
  },
);

describe('the display on a terminal', () => {
  it('updates a panel and leaves the last one on the screen', () => {
    const { stream, text } = recordingStream(true);
    const display = createDisplay(stream);
    display.update('poll 1', '');
    display.update('poll 2', '');
    display.end();
    expect(text()).toContain('poll 2');
  });

  it('shows a step that failed, and passes its error on', async () => {
    const { stream, text } = recordingStream(true);
    const display = createDisplay(stream);
    const failing = display.step('OpenSearch', () => Promise.reject(new Error('no memory')));
    await expect(failing).rejects.toThrow('no memory');
    display.end();
    expect(text()).toContain('✖ OpenSearch');
  });
});
