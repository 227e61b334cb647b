import { Kafka } from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

// kafkajs 2.2.4 checks a connection's queue again after every check, even if it is empty: a thousand times a
// second, each with a timer in the past, which Node warns about. With this change an idle connection stays
// idle.
const queue = RequestQueue.prototype;
const { scheduleCheckPendingRequests } = queue;
queue.scheduleCheckPendingRequests = function schedule() {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

export { Kafka };
