"""Where the doubles answer, and the environment that points the real clients at them."""

MAILBOX = "service@example.com"
TENANT = "sandbox-tenant"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but the double
MONDAY_TOKEN = "sandbox-token"  # noqa: S105 - as above
MONDAY_VERSION = "2026-10"
CONTACTS_BOARD = "1001"
DEALS_BOARD = "1002"
HOOK_PATH = "/hooks/catch/1001/sandbox/"


def base_url(port: int) -> str:
    """Return the root of all doubles."""
    return f"http://127.0.0.1:{port}"


def environment(port: int) -> dict[str, str]:
    """Return the ``GRAPH_*``, ``MONDAY_*`` and ``ZAPIER_*`` variables for a sandbox on ``port``."""
    root = base_url(port)
    return {
        "GRAPH_BASE_URL": f"{root}/graph/v1.0",
        "GRAPH_AUTHORITY": f"{root}/login",
        "GRAPH_TENANT_ID": TENANT,
        "GRAPH_CLIENT_ID": CLIENT_ID,
        "GRAPH_CLIENT_SECRET": CLIENT_SECRET,
        "GRAPH_MAILBOX": MAILBOX,
        "MONDAY_API_URL": f"{root}/monday/v2",
        "MONDAY_API_VERSION": MONDAY_VERSION,
        "MONDAY_TOKEN": MONDAY_TOKEN,
        "MONDAY_CONTACTS_BOARD": CONTACTS_BOARD,
        "MONDAY_DEALS_BOARD": DEALS_BOARD,
        "MONDAY_EMAIL_COLUMN": "email",
        "MONDAY_CONTACT_DEALS_COLUMN": "deals",
        "MONDAY_DEAL_CONTACT_COLUMN": "deal_contact",
        "MONDAY_APPROVED_COLUMNS": "status,delivery_date,amount",
        "ZAPIER_HOOK_URL": f"{root}{HOOK_PATH}",
    }


def model_environment(port: int) -> dict[str, str]:
    """Return the ``MODEL_*`` variables for the OpenAI-compatible double."""
    return {
        "MODEL_BASE_URL": f"{base_url(port)}/model/v1",
        "MODEL_NAME": "sandbox-model",
        "MODEL_PROVIDER": "openai",
        "MODEL_API_KEY": "sandbox-key",
    }
