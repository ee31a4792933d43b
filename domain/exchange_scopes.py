"""How an Exchange administrator limits an application to some mailboxes: Exchange's RBAC for Applications, as PowerShell.

Source: "Role Based Access Control for Applications in Exchange Online" and the references of the cmdlets (learn.microsoft.com). What
Entra grants and what Exchange grants add up, so a scope limits nothing while the consent for all mailboxes stands.
"""

PERMISSIONS = (
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
)  # application permissions of Microsoft Graph
_SCOPE = "Onbehalf mailboxes"
_GROUP = "onbehalf@YOUR-DOMAIN"


def powershell(client_id: str, group: str = "") -> str:
    """Return the commands. ``client_id``: the application's. ``group``: the address of a mail-enabled group whose members it may use."""
    assigned = "\n".join(
        f'New-ManagementRoleAssignment -App $app.AppId -Role "Application {each}" -CustomResourceScope "{_SCOPE}"'
        for each in PERMISSIONS
    )
    return f"""\
Connect-MgGraph -Scopes "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"
Connect-ExchangeOnline

# The application, as your tenant knows it. The Object ID is that of the enterprise application.
$app = Get-MgServicePrincipal -Filter "AppId eq '{client_id}'"
New-ServicePrincipal -AppId $app.AppId -ObjectId $app.Id -DisplayName "Onbehalf"

# The mailboxes: the direct members of a group.
$group = Get-DistributionGroup -Identity "{group or _GROUP}"
New-ManagementScope -Name "{_SCOPE}" -RecipientRestrictionFilter "MemberOfGroup -eq '$($group.DistinguishedName)'"

# What it may do with them.
{assigned}

# Take back the consent for all mailboxes: as long as it stands, the scope limits nothing.
$graph = Get-MgServicePrincipal -Filter "AppId eq '00000003-0000-0000-c000-000000000000'"
$roles = $graph.AppRoles | Where-Object {{ $_.Value -in "{'", "'.join(PERMISSIONS)}" }}
Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $app.Id |
    Where-Object {{ $_.ResourceId -eq $graph.Id -and $_.AppRoleId -in $roles.Id }} |
    ForEach-Object {{ Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $app.Id -AppRoleAssignmentId $_.Id }}

# See what holds for one mailbox. Exchange applies changes within two hours; this command shows them at once.
Test-ServicePrincipalAuthorization -Identity $app.AppId -Resource "somebody@YOUR-DOMAIN" | Format-Table
"""
