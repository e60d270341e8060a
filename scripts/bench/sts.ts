import { startFakeAws } from "../../test/support/fake-aws.ts";
import { serveHelper } from "./helper.ts";

const aws = startFakeAws();
serveHelper(aws.url, () => aws.calls, aws.stop);
