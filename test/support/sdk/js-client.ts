/** Asks STS who it is: with the credentials of each address that it is given, else with those of its environment. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const addresses = process.argv.slice(2);
for (const address of addresses.length > 0 ? addresses : [undefined]) {
  if (address !== undefined) process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = address;
  const sts = new STSClient({});
  for (let call = 1; call < Number(process.env.CALLS ?? 1); call += 1) await sts.send(new GetCallerIdentityCommand({}));
  const { UserId, Arn } = await sts.send(new GetCallerIdentityCommand({}));
  console.log(UserId, Arn);
}
