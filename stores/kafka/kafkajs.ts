import { Kafka } from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

// kafkajs 2.2.4 looks again at a connection's queue after every look, also when nothing waits there: a thousand times
// a second, each by a timer in the past, which Node warns about. An idle connection rests instead.
const queue = RequestQueue.prototype;
const { scheduleCheckPendingRequests } = queue;
queue.scheduleCheckPendingRequests = function schedule() {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

export { Kafka };
