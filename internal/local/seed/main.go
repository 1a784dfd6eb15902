// Command seed makes the environment and the first administrator of a deployed stack, and with the argument recover it
// lets an administrator in again who is locked out. It runs on an operator's machine and finds AWS credentials as the
// AWS CLI does: variables, profiles, single sign-on. What is there already stays.
//
// The password is that of ADMIN_PASSWORD, or a line of standard input, or asked for where that is a terminal.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/term"

	"useraccounts/internal/account"
	"useraccounts/internal/boot"
	"useraccounts/internal/dynamo"
	"useraccounts/internal/fault"
	"useraccounts/internal/password"
	"useraccounts/internal/phone"
	"useraccounts/internal/setup"
	"useraccounts/internal/token"
)

type options struct {
	Table         string      `env:"TABLE_NAME"`
	Environment   string      `env:"ENVIRONMENT_ID" default:"main"`
	New           bool        `env:"NEW,optional"`
	TryOut        bool        `env:"TRY_OUT,optional"`
	RemoveFactors bool        `env:"REMOVE_FACTORS,optional"`
	Username      string      `env:"ADMIN_USERNAME"`
	Email         string      `env:"ADMIN_EMAIL,optional"`
	Password      boot.Secret `env:"ADMIN_PASSWORD,optional"`
}

func main() {
	var o options
	boot.Load(&o)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, len(os.Args) > 1 && os.Args[1] == "recover"); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", explain(err))
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, o options, recovers bool) error {
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	if aws.Region == "" {
		return errors.New("no region: set AWS_REGION to that of the stack")
	}
	table := dynamo.Open(aws, o.Table)
	store := dynamo.Accounts{Table: table}
	s := setup.Setup{Environments: dynamo.NewEnvironments(table), Upgrades: dynamo.Upgrades{Table: table},
		Accounts: &account.Service{
			Rules: account.Rules{E164: phone.E164}, Store: store, Passwords: password.Argon2id{}, Now: time.Now,
			NewID: token.NewIDString,
		}}
	if recovers {
		return recoverAdministrator(ctx, s, dynamo.Directory{Accounts: store, Environments: dynamo.NewEnvironments(table),
			Now: time.Now}, o)
	}
	return seed(ctx, s, o)
}

func seed(ctx context.Context, s setup.Setup, o options) error {
	if o.Email == "" {
		return errors.New("ADMIN_EMAIL is missing: where mails to the first administrator go")
	}
	if err := s.CheckNew(ctx, o.Environment); err != nil && !o.New {
		return fmt.Errorf("%w: give one of these as ENVIRONMENT_ID, or NEW=1 to make another", err)
	}
	secret, err := readPassword(o)
	if err != nil {
		return err
	}
	made, err := s.CreateEnvironment(ctx, o.Environment, o.TryOut)
	if err != nil {
		return err
	}
	fmt.Printf("environment %s: %s\n", o.Environment, word(made))
	made, err = s.CreateAdministrator(ctx, o.Environment,
		setup.Administrator{Username: o.Username, Name: o.Username, Email: o.Email, Password: secret})
	if err != nil {
		return err
	}
	fmt.Printf("administrator %s: %s\n", o.Username, word(made))
	if o.TryOut {
		return s.CreateDemoAccounts(ctx, o.Environment)
	}
	return nil
}

func recoverAdministrator(ctx context.Context, s setup.Setup, directory dynamo.Directory, o options) error {
	env, err := s.Environments.Environment(ctx, o.Environment)
	if err != nil {
		return err
	}
	found, err := directory.AccountsByUsername(ctx, env, 0, []string{o.Username})
	if err != nil {
		return err
	}
	if !found[0].Exists {
		return fmt.Errorf("there is no account %s in the environment %s; make seed makes an administrator with a new name",
			o.Username, o.Environment)
	}
	secret, err := readPassword(o)
	if err != nil {
		return err
	}
	if err := s.RecoverAdministrator(ctx, o.Environment, found[0].Account.ID, secret, o.RemoveFactors); err != nil {
		return err
	}
	fmt.Printf("%s can sign in with the new password and administers the environment %s.\n", o.Username, o.Environment)
	if !o.RemoveFactors {
		fmt.Println("Second factors stay; REMOVE_FACTORS=1 removes them.")
	}
	return nil
}

// readPassword returns the password that is given, or asks for it.
func readPassword(o options) (string, error) {
	if given := o.Password.Reveal(); given != "" {
		return given, nil
	}
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		return ask(func(prompt string) (string, error) {
			fmt.Fprint(os.Stderr, prompt)
			defer fmt.Fprintln(os.Stderr)
			typed, err := term.ReadPassword(in)
			return string(typed), err
		})
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.Join(errors.New("no password: give ADMIN_PASSWORD, a line of standard input, or a terminal"), err)
	}
	return line, nil
}

func ask(read func(prompt string) (string, error)) (string, error) {
	first, err := read("Password: ")
	if err != nil {
		return "", err
	}
	again, err := read("The same again: ")
	if err == nil && first != again {
		err = errors.New("the two passwords differ")
	}
	return first, err
}

// explain adds to an error what is wrong with which field.
func explain(err error) string {
	text := err.Error()
	if f := fault.As(err); f != nil {
		for _, field := range f.Fields {
			text += "\n  " + field.Field + ": " + field.Message
		}
	}
	return text
}

func word(made bool) string {
	if made {
		return "made"
	}
	return "is there already, left as it is"
}
