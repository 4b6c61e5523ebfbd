from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0005_approvals'),
    ]

    operations = [
        migrations.AddField(
            model_name='companyfacts',
            name='usage',
            field=models.JSONField(db_default={}, default=dict, help_text='{kind: how much} of what a plan may limit.'),
        ),
        migrations.AddField(
            model_name='approval',
            name='subject',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='approval',
            name='title',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
    ]
