/**
 * The other side of the Lambda host, in a thread or a process of its own: imports the handler's module once, then answers one invocation after the
 * other.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Context } from 'aws-lambda';
import { type FromWorker, functionError, type Invoke, type WorkerSettings } from './messages.ts';

type Handler = (event: unknown, context: Partial<Context>) => unknown;

const settings: WorkerSettings = parentPort ? workerData : JSON.parse(process.argv[2] ?? 'null');
if (!parentPort) {
  if (!process.send) throw new Error('local/lambda-host/worker.ts only runs under a host; use startLambda');
  // Ctrl-C reaches the host, too, which ends this process in order.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
}
const port = parentPort ?? process;
const send = (message: FromWorker) =>
  parentPort ? parentPort.postMessage(message) : process.send?.(message);

function contextOf({ requestId, deadlineMs }: Invoke): Partial<Context> {
  const { functionName, memoryMb } = settings;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

async function loadHandler(): Promise<Handler> {
  const module: { handler?: unknown } = await import(settings.handlerUrl);
  if (typeof module.handler !== 'function') {
    throw new TypeError(`${settings.handlerUrl} exports no function named "handler"`);
  }
  return module.handler as Handler;
}

async function answer(handler: Handler, invoke: Invoke): Promise<void> {
  try {
    const response = await handler(JSON.parse(invoke.eventJson), contextOf(invoke));
    // Lambda answers null for undefined.
    send({ kind: 'succeeded', responseJson: JSON.stringify(response) ?? 'null' });
  } catch (thrown) {
    send({ kind: 'failed', error: functionError(thrown) });
  }
}

try {
  const handler = await loadHandler();
  port.on('message', (invoke: Invoke) => void answer(handler, invoke));
  send({ kind: 'ready' });
} catch (thrown) {
  send({ kind: 'initFailed', error: functionError(thrown) });
}
