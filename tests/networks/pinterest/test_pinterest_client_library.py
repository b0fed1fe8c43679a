"""Pinterest's own client library works against the sandbox: a second witness beside our connector."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import urllib3
from PIL import Image

from regie_sandbox.frame import World
from regie_sandbox.pinterest.app import Pinterest
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread

MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 40


@pytest.fixture
def served() -> Iterator[Pinterest]:
    network = sandbox_network("pinterest", World(seed=7))
    assert isinstance(network, Pinterest)
    with in_thread(network.world):
        yield network


@pytest.fixture
def client(served: Pinterest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """It was made for an older urllib3, whose answers had two more methods, and would read any ``.env`` it finds."""
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")
    from openapi_generated.pinterest_client.configuration import Configuration
    from openapi_generated.pinterest_client.rest import RESTResponse
    from pinterest.client import PinterestSDKClient

    monkeypatch.setattr(RESTResponse, "getheaders", lambda self: self.urllib3_response.headers)
    monkeypatch.setattr(
        RESTResponse, "getheader", lambda self, name, default=None: self.urllib3_response.headers.get(name, default)
    )
    token = served.ready_account()["credentials"]["access_token"]
    with PinterestSDKClient(configuration=Configuration(host=f"{served.base}/v5", access_token=token)) as made:
        yield made


def picture() -> str:
    kept = io.BytesIO()
    Image.new("RGB", (100, 150), "teal").save(kept, "JPEG")
    return base64.b64encode(kept.getvalue()).decode()


def test_a_pin_is_made_read_changed_measured_and_deleted(served: Pinterest, client: Any) -> None:
    from openapi_generated.pinterest_client.api.pins_api import PinsApi
    from openapi_generated.pinterest_client.model.pin_update import PinUpdate
    from pinterest.organic.boards import Board
    from pinterest.organic.pins import Pin

    (board,) = Board.get_all(client=client)[0]
    assert (board.name, board.privacy) == ("Ideas", "PUBLIC")
    source = {"source_type": "image_base64", "content_type": "image/jpeg", "data": picture()}
    made = Pin.create(board.id, source, title="Window", description="Good morning", client=client)
    assert served.texts() == ["Good morning"]
    read = Pin(pin_id=made.id, client=client)
    assert (read.title, read.description, read.board_id) == ("Window", "Good morning", board.id)
    assert [one.id for one in board.list_pins()[0]] == [made.id]

    PinsApi(client).pins_update(made.id, PinUpdate(description="Until seven"))
    assert served.texts() == ["Until seven"]

    served.like(by="ana", post_id=made.id)
    today = datetime.now(UTC).date()
    told = PinsApi(client).pins_analytics(made.id, today, today, ["IMPRESSION", "TOTAL_REACTIONS"])
    assert told["all"]["summary_metrics"]["IMPRESSION"] == 7
    assert told["all"]["lifetime_metrics"]["TOTAL_REACTIONS"] == 1

    Pin.delete(pin_id=made.id, client=client)
    assert served.texts() == []


def test_several_pictures_are_one_pin_and_six_are_too_many(served: Pinterest, client: Any) -> None:
    from openapi_generated.pinterest_client.exceptions import ApiException
    from pinterest.organic.pins import Pin

    board = served.ready_account()["options"]["board"]
    items = [{"content_type": "image/jpeg", "data": picture()}] * 2
    made = Pin.create(board, {"source_type": "multiple_image_base64", "items": items}, client=client)
    assert served.state.pins[made.id].files == ["image/jpeg"] * 2
    with pytest.raises(ApiException):
        Pin.create(board, {"source_type": "multiple_image_base64", "items": items * 3}, client=client)


def test_a_video_goes_through_the_storage(served: Pinterest, client: Any) -> None:
    from openapi_generated.pinterest_client.api.media_api import MediaApi
    from openapi_generated.pinterest_client.model.media_upload_request import MediaUploadRequest
    from pinterest.organic.pins import Pin

    api = MediaApi(client)
    upload = api.media_create(MediaUploadRequest(media_type="video"))
    names = type(upload.upload_parameters).attribute_map  # its names -> those of the wire
    asked = {names[name]: value for name, value in upload.upload_parameters.to_dict().items()}
    fields = {**asked, "file": ("walk.mp4", MOVIE, "video/mp4")}
    sent = urllib3.PoolManager().request("POST", upload.upload_url, fields=fields)
    assert sent.status == 204, sent.data
    assert str(api.media_get(upload.media_id).status) == "succeeded"
    source = {"source_type": "video_id", "media_id": upload.media_id, "cover_image_key_frame_time": 1}
    made = Pin.create(served.ready_account()["options"]["board"], source, client=client)
    assert served.state.pins[made.id].video == upload.media_id


def test_the_account_is_who_it_is_and_its_token_is_renewed(served: Pinterest, client: Any) -> None:
    from openapi_generated.pinterest_client.api.user_account_api import UserAccountApi
    from pinterest.utils.refresh_access_token import get_new_access_token

    served.follow(by="ana", account="regie")
    me = UserAccountApi(client).user_account_get()
    assert (me.username, me.follower_count) == ("regie", 1)
    ready = served.ready_account()
    fresh = get_new_access_token(
        app_id=ready["client_id"],
        app_secret=ready["client_secret"],
        refresh_access_token=ready["credentials"]["refresh_token"],
        host=f"{served.base}/v5",
    )
    assert fresh in served.state.tokens
    assert fresh != ready["credentials"]["access_token"]
