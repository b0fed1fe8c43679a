from django.urls import include, path

from regie.studio import campaign_views, views

app_name = "studio"
urlpatterns = [
    path("posts/", views.posts, name="posts"),
    path("posts/new/", views.new, name="new"),
    path("posts/check/", views.check, name="check"),
    path("posts/arrange/", views.arrange, name="arrange"),
    path("posts/choices/", views.choices, name="choices"),
    path("posts/poster/", views.poster, name="poster"),
    path("posts/save/", views.save, name="save"),
    path("posts/both/", views.both, name="both"),
    path("posts/take-out/", views.take_out, name="take_out"),
    path("posts/pick/", views.pick, name="pick"),
    path("posts/use/<int:pk>/", views.use, name="use"),
    path("posts/remove/", views.remove, name="remove"),
    path("posts/restore/", views.restore, name="restore"),
    path("posts/<int:pk>/edit/", views.edit, name="edit"),
    path("posts/<int:pk>/duplicate/", views.duplicate, name="duplicate"),
    path("campaigns/", campaign_views.campaigns, name="campaigns"),
    path("campaigns/<int:pk>/", campaign_views.campaign, name="campaign"),
    path("campaigns/<int:pk>/archive/", campaign_views.archive, name="archive_campaign"),
    path("campaigns/<int:pk>/put-back/", campaign_views.put_back, name="put_back_campaign"),
    path("posts/campaign/", campaign_views.assign, name="assign_campaign"),
    path("", include("regie.publishing.post_urls")),  # a post's page shows its deliveries: publishing draws it
]
