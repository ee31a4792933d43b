"""Addresses that browsers and crawlers ask for by themselves."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

router = APIRouter()


@router.get("/robots.txt")
def robots() -> Response:
    """Nothing here is for crawlers."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@router.get("/favicon.ico")
def favicon() -> Response:
    """The icon, for what does not read the page's own link."""
    return RedirectResponse("/static/icon.svg", status_code=308)
