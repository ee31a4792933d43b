"""Addresses that browsers and crawlers ask for by themselves."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

router = APIRouter()


@router.get("/robots.txt")
def robots() -> Response:
    """Tell crawlers to stay away."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@router.get("/favicon.ico")
def favicon() -> Response:
    """Redirect browsers that ask for the icon without reading the page's link to it."""
    return RedirectResponse("/static/icon.svg", status_code=308)
