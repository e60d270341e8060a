"""Asks STS who it is: with the credentials of each address that it is given, else with those of its environment."""

import os
import sys

import boto3

for address in sys.argv[1:] or [None]:
    if address is not None:
        os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = address
    sts = boto3.session.Session().client("sts")
    for _ in range(int(os.environ.get("CALLS", "1"))):
        caller = sts.get_caller_identity()
    print(caller["UserId"], caller["Arn"])
