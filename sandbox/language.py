"""pulumi-language-python for an engine built from source: the SDK's own language server, and the calls it lacks.

The engine starts it, reads its port from its first line and asks it to run the program and policy packs.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, plugin_pb2
from pulumi.runtime.proto.language_pb2_grpc import add_LanguageRuntimeServicer_to_server

Request = Any  # protobuf messages carry no annotations that mypy can use
MESSAGE_BYTES = 400 * 1024 * 1024  # as the engine itself allows


class PythonLanguage(LanguageServer):
    def __init__(self, engine: str) -> None:
        super().__init__(lambda: None)
        self.engine = engine

    def Handshake(self, request: Request, context: grpc.ServicerContext) -> Any:
        self.engine = request.engine_address or self.engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Request, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def InstallDependencies(self, request: Request, context: grpc.ServicerContext) -> Iterator[Any]:
        """Nothing to do: program and policy packs run in the environment that the sandbox was started from."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"")

    def GetProgramDependencies(self, request: Request, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request: Request, context: grpc.ServicerContext) -> Any:
        program = Path(request.info.program_directory or request.pwd, request.info.entry_point or ".").resolve()
        os.chdir(request.pwd or program)
        # As the official host: the first argument of Run is the engine, the rest belong to the program.
        sys.argv = [str(program), *request.args]
        request.args[:] = [self.engine]
        self.program = lambda: run_program(program)
        response = super().Run(request, context)  # type: ignore[no-untyped-call]
        # The SDK has logged the error already; "bail" keeps the engine from printing it once more.
        return language_pb2.RunResponse(bail=True) if response.error else response

    def RunPlugin(self, request: Request, context: grpc.ServicerContext) -> Iterator[Any]:
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"plugins of kind {request.kind!r} can't be run from source")
        environment = dict(pair.split("=", 1) for pair in request.env) or None
        directory = request.info.program_directory or request.pwd
        # -P: the working directory is the program's, whose modules must not hide the standard library's.
        command = [sys.executable, "-P", "-u", "-m", "pulumi.policy", *request.args, directory]
        process = subprocess.Popen(
            command, cwd=request.pwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        context.add_callback(process.terminate)
        output: SimpleQueue[Any] = SimpleQueue()

        def forward(stream: Any, name: str) -> None:
            for line in stream:
                output.put(language_pb2.RunPluginResponse(**{name: line}))
            output.put(None)

        for stream, name in ((process.stdout, "stdout"), (process.stderr, "stderr")):
            threading.Thread(target=forward, args=(stream, name), daemon=True).start()
        for _ in range(2):
            yield from iter(output.get, None)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def run_program(program: Path) -> None:
    """Run a program as `python <program>` would. An exception becomes one message with the user's own frames."""
    if program.is_dir() and not (program / "__main__.py").is_file():
        raise RunError(f"no program: {program} has no __main__.py")
    try:
        runpy.run_path(str(program), run_name="__main__")
    except RunError:
        raise
    except Exception as problem:  # noqa: BLE001 (whatever the user's program raises)
        own = problem.__traceback__
        while own and not Path(own.tb_frame.f_code.co_filename).is_relative_to(program):
            own = own.tb_next
        trace = "".join(traceback.format_exception(problem.with_traceback(own or problem.__traceback__)))
        raise RunError(f"Program failed with an unhandled exception:\n{trace}") from None


def main() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    engine = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    add_LanguageRuntimeServicer_to_server(PythonLanguage(engine), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    started_by = os.getppid()
    while not stopped.wait(1) and os.getppid() == started_by:
        pass  # an engine that was killed can't say so
    server.stop(grace=None)
    with suppress(OSError):
        sys.stdout.flush()
    # A program that is in the middle of something has threads that would keep the process: the engine is gone already.
    os._exit(0)


if __name__ == "__main__":
    main()
