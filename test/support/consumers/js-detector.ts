/** Prints, as JSON, the attributes that the ECS resource detector of OpenTelemetry JavaScript finds. */
import { awsEcsDetector } from "@opentelemetry/resource-detector-aws";

const found = Object.entries(awsEcsDetector.detect().attributes ?? {});
const attributes = await Promise.all(found.map(async ([name, value]) => [name, await value] as const));
console.log(JSON.stringify(Object.fromEntries(attributes)));
