// Asks STS who it is: with the credentials of each address that it is given, else with those of its environment.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	if len(os.Args) == 1 {
		ask()
	}
	for _, address := range os.Args[1:] {
		os.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
		ask()
	}
}

func ask() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	fail(err)
	client := sts.NewFromConfig(settings)
	calls, _ := strconv.Atoi(os.Getenv("CALLS"))
	for range max(calls-1, 0) {
		_, err = client.GetCallerIdentity(ctx, nil)
		fail(err)
	}
	caller, err := client.GetCallerIdentity(ctx, nil)
	fail(err)
	fmt.Println(*caller.UserId, *caller.Arn)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
