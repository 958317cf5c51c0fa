"""The command line. Each command imports what it needs when it runs, so that help and validation are quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stagegate import sandbox

app = typer.Typer(
    name="stagegate",
    help="Least-privilege ML environments for every department, declared, provisioned and judged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
new = typer.Typer(help="Start something new.", no_args_is_help=True)
app.add_typer(new, name="new")
app.add_typer(sandbox.app, name="sandbox")

Stacks = Annotated[Path, typer.Option("--stacks", help="Folder of the declarations.", metavar="DIR")]
DEFAULT_STACKS = Path("stacks")


@app.command()
def validate(
    paths: Annotated[list[Path] | None, typer.Argument(help="Report only what is wrong in these.")] = None,
    stacks: Stacks = DEFAULT_STACKS,
) -> None:
    """Check the declarations: silent when all is well."""
    from stagegate.validate import validate

    validate(stacks, paths or [])


@app.command()
def access(
    stack: Annotated[str, typer.Argument(help="A department's stack, such as risk-dev.")],
    stacks: Stacks = DEFAULT_STACKS,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Who may do what in a department."""
    from stagegate.access import show

    show(stacks, stack, as_json=json)


@new.command()
def department(
    name: Annotated[str, typer.Argument(help="Name of the department, such as claims.")],
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    owner: Annotated[str | None, typer.Option(help="Owner's e-mail address.")] = None,
    owner_name: Annotated[str | None, typer.Option(help="Owner's name.")] = None,
    cost_centre: Annotated[str | None, typer.Option(help="Cost centre that is charged.")] = None,
    classification: Annotated[str | None, typer.Option(help="public, internal, confidential or restricted.")] = None,
    objective: Annotated[str | None, typer.Option(help="What it wants to reach.")] = None,
    monthly_eur: Annotated[float | None, typer.Option(help="Budget of a month in each environment, in euro.")] = None,
    stacks: Stacks = DEFAULT_STACKS,
) -> None:
    """Declare a department; on a terminal it asks for what isn't given."""
    from stagegate.new import Answers, department

    answers = Answers(title, owner, owner_name, cost_centre, classification, objective, monthly_eur)
    for file in department(stacks, name, answers):
        typer.echo(f"wrote {file}")
    typer.echo(f"next: edit {stacks / name / 'department.yaml'}, then make up DEPARTMENT={name} ENVIRONMENT=dev")


@app.command()
def up(
    department: Annotated[str, typer.Option(help="The department.")] = "risk",
    environment: Annotated[str, typer.Option(help="dev, staging or prod.")] = "dev",
    stacks: sandbox.StacksOption = None,
    home: sandbox.HomeOption = None,
) -> None:
    """Bring a department up in the sandbox; again and again without harm."""
    from stagegate.up import up

    up(department, environment, stacks, home)


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2."""
    from infra.policy import PolicyTooLong
    from infra.spec.load import UnknownStack
    from infra.spec.problems import DeclarationError
    from stagegate.errors import UserError

    try:
        app()
    except (DeclarationError, PolicyTooLong, UnknownStack, UserError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
