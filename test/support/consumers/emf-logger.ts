/** Logs one metric with aws-embedded-metrics, and prints what it sends to the CloudWatch agent, whose place this takes. */
import { Configuration, createMetricsLogger } from "aws-embedded-metrics";

let sent = "";
const ended = Promise.withResolvers<void>();
const agent = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data: (_socket, data) => {
      sent += data;
      if (sent.endsWith("\n")) ended.resolve();
    },
  },
});
Configuration.agentEndpoint = `tcp://127.0.0.1:${agent.port}`;

const metrics = createMetricsLogger();
metrics.putMetric("Orders", 1);
await metrics.flush();
await ended.promise;
console.log(sent.trim());
process.exit();
