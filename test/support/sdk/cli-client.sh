#!/bin/sh
# Asks STS who it is: with the credentials of each address that it is given, else with those of its environment.
set -eu
aws=$1
shift

ask() {
  "$aws" sts get-caller-identity --query '[UserId, Arn]' --output text
}

[ $# -gt 0 ] || ask
for address; do
  export AWS_CONTAINER_CREDENTIALS_FULL_URI="$address"
  ask
done
