import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identifies a process for good: pids are reused, but not together with the start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; compare only. */
  readonly startTime: string;
}

/** The identity of a running process; `undefined` if no process has this pid, or only a zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether this very process is still running. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime;
}

/**
 * State and start time (clock ticks since boot) from the text of /proc/<pid>/stat.
 * The second field is the command in parentheses, which may itself contain blanks and parentheses.
 */
export function parseProcStat(text: string): { state: string; startTicks: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  return state && startTicks && /^\d+$/.test(startTicks) ? { state, startTicks } : undefined;
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined;
    // Ticks count from boot, so after a reboot they could match by chance without the boot's id.
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${stat.startTicks}`;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // ESRCH: the process ended after the file was opened.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [, state, started] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
    return state && started && !state.startsWith('Z') ? started : undefined;
  } catch (error) {
    // ps exits with 1 if there is no such process.
    if ((error as { status?: unknown }).status === 1) return undefined;
    throw error;
  }
}
