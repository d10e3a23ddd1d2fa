"""Errors as JSON: what is wrong, what was got and expected, the next step, and the command's exit code."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from console.errors import ConsoleError, Exit
from console.faults import ROOM_ERRORS, explain

LOG = logging.getLogger("handrail.api")

_STATUS = {
    Exit.ERROR: HTTPStatus.BAD_REQUEST,
    Exit.USAGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Exit.BLOCKED: HTTPStatus.CONFLICT,
    Exit.GATE_FAILED: HTTPStatus.CONFLICT,
    Exit.INTEGRITY: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class NotAllowedError(ConsoleError):
    """The peer may not use the control API at all."""

    exit = Exit.BLOCKED


def install(app: FastAPI) -> None:
    """Make every failure of `app` answer in the one form."""
    app.add_exception_handler(RequestValidationError, _unusable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _any)
    for known in (ConsoleError, *ROOM_ERRORS):
        app.add_exception_handler(known, _any)


def problem(error: ConsoleError, *, status: int | None = None) -> JSONResponse:
    """Return the answer for one of the console's own errors."""
    body = {
        "error": error.what,
        "got": error.got,
        "expected": error.expected,
        "next": error.next_step,
        "exit": int(error.exit),
    }
    return JSONResponse(body, status_code=status or _STATUS[error.exit])


async def _any(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ConsoleError):
        return problem(error)
    explained = explain(error)
    if explained is None:
        LOG.error("a request failed inside", exc_info=error)
        return problem(
            ConsoleError("the control plane failed inside", next_step="read serve's output"), status=500
        )
    line, code = explained
    told = ConsoleError(line)
    told.exit = code
    return problem(told)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    phrase = HTTPStatus(status).phrase.lower()
    return problem(
        ConsoleError(phrase, next_step="use the `handrail` command of this version"), status=status
    )


async def _unusable(_request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    said = [f"{'.'.join(str(step) for step in fault['loc'][1:])}: {fault['msg']}" for fault in faults]
    told = ConsoleError("the request cannot be used", got="; ".join(said))
    told.exit = Exit.USAGE
    return problem(told)
